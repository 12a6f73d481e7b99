"""Fills a container with processes and listeners: many_processes.py PROCESSES LISTENERS. Says "ready", then waits."""

import os
import signal
import socket
import sys

processes, listeners = int(sys.argv[1]), int(sys.argv[2])
for _ in range(processes):
    if os.fork() == 0:
        signal.pause()
sockets = []
for number in range(listeners):
    made = socket.socket()
    made.bind(("127.0.0.1" if number % 2 else "0.0.0.0", 20000 + number))
    made.listen()
    sockets.append(made)
print("ready", flush=True)
signal.pause()
