"""An action as data: what a step does, what the agent is asked, the plan, and the record that is stored."""
