"""The methods of the Web API: one module a family, one table that names their scopes and limits."""
