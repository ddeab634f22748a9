"""Reddit: new posts and comments of chosen communities, through PRAW. Needs an account's API client."""
