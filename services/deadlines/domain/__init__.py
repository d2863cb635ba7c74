"""The pure core of deadlines: duties, their ladders of timers, what fires, and how it reads. Values in, values out."""
