#!/bin/sh
# Called by keepalived at each change: type, name, new state, priority.
exec logger -t portcullis-keepalived -p daemon.notice -- "$1 $2 is now $3 (priority $4)"
