"""How things look: figures as text, tables, the live screen, and the page of a report."""
