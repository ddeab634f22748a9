"""How well posts are gathered into stories, measured against labels or a simulated world."""
