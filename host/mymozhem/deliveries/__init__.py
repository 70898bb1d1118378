"""What must arrive: told in the transaction that causes it, carried to apps until it is settled.

The transaction that causes a delivery writes it into the outbox; a relay takes the head of each
stream, has the app told, and writes down what came of it. What an app has not taken after its last
attempt is a dead letter. Nothing here knows rooms or HTTP.
"""
