"""How loud is each story? The ledger of every story, kept by a Faust app, and the scores that come of it."""
