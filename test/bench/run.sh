#!/bin/sh
# Measures picday on this machine, on as quiet a machine as you can give it.
# Ratios are between things measured in the same run.
set -eu
[ "$(id -u)" = 0 ] || { echo "The benchmarks start sshd and make Unix accounts (in a private namespace): sudo env PATH=\$PATH make bench"; exit 1; }
go test -run '^$' -bench 'Close|Reconcile' -benchtime 10x -timeout 60m ./test/bench
go test -run '^$' -bench 'Idle|SlowWriters' -benchtime 3x -timeout 60m ./test/bench # each takes ten seconds
go test -run '^$' -bench Followers -benchtime 1x -timeout 20m ./test/bench
go test -run '^$' -bench Waiting -benchtime 1x -timeout 60m ./test/bench
go test -run '^$' -bench Grown -benchtime 3x -timeout 30m ./test/bench
go test -run '^$' -bench Pages -benchtime 20x -timeout 20m ./test/bench
go test -run '^$' -bench ServedThumbs -benchtime 6x -timeout 20m ./test/bench
go test -run '^$' -bench ServedMillion -benchtime 1x -timeout 20m ./test/bench
go test -run '^$' -bench 'Publish$' -benchtime 5x -timeout 20m ./store
go test -run '^$' -bench PublishLock -benchtime 20x -timeout 20m ./ingest
# Cards: scenes of our own, and the pictures below QR_CORPUS if that is set.
go test -run '^$' -bench 'Scenes|Corpus' -benchtime 1x -timeout 20m -v ./internal/qr
go test -run '^$' -bench Read ./internal/qr
go test -run '^$' -bench . -skip 'Publish$' ./internal/photo ./internal/decoder ./internal/layout ./watcher ./store ./internal/web
