"""The contract between Handrail's services and the systems around it: messages, topics, vocabulary and calendar.

Pure values only: nothing here opens a connection, reads a clock or imports a service.
"""
