"""Writers to the world."""
