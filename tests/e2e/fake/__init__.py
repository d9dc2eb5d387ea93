"""The fake provider: one process that speaks OpenAI and Anthropic on the wire, strictly and on script."""
