"""Values: what the studio talks about, with the standard library and numpy only."""
