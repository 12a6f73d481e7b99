#!/bin/sh
# Stands in the place of our own program: does what the test says. A file that is never written to while tests run,
# because a program that another thread still holds open for writing cannot be started.
eval "$SCRIPT"
