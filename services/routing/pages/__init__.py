"""The pages of a case: what is owed and why, the question about any recipient, and the forms that record what happened."""
