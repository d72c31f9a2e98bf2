"""The only room that knows SQL.  Its query files are its doors, one for each room that asks."""
