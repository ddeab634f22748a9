"""Reddit, simulated: the protocol of reddit.com and oauth.reddit.com."""
