"""What is written for people: the KPI digest, checklists, drills, postmortems, and answers to questions."""
