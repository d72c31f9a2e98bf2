"""What is sealed for annotators.  No table here refers to anything outside this file."""
