"""Tables, in three files that the blind wall keeps apart: study (what is known), desk (what is sealed), access (who)."""
