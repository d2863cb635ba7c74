"""What a deployment needs: image, compose secrets, topics, broker configuration, stub recipients."""
