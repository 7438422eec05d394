"""Source into sink, in one process or in many."""
