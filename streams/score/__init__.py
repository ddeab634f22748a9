"""How loud is each story? The ledger of every story, kept in a Faust table, and the scores that come of it."""
