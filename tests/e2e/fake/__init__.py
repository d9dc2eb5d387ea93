"""The fake provider: one process that speaks the OpenAI and Anthropic wire formats, strictly and on script."""
