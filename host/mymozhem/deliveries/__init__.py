"""Deliveries: notifications written to an outbox and sent to apps until they are settled.

The transaction that causes a delivery writes it into the outbox. A relay takes the head of each
stream, sends it to the app, and records the result. A delivery that fails its last attempt is a
dead letter. Nothing here knows rooms or HTTP.
"""
