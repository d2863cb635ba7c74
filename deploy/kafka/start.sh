#!/bin/sh
# Starts the broker of a container: formats the data folder with its administrator the first time. The image's own
# start script cannot make a first SCRAM user, so nobody could ever sign in.
set -eu
config=/run/secrets/kafka.properties
arguments=/tmp/format.arguments  # a file, because every account of the host can read a command line
set -- -Dlog4j2.configurationFile=/run/log4j2.properties -Xmx"${HEAP:-1g}" -cp '/opt/kafka/libs/*'

(umask 077 && cat > "$arguments") <<END
kafka.tools.StorageTool format --ignore-formatted --cluster-id "$CLUSTER_ID" --config "$config"
--add-scram "SCRAM-SHA-512=[name=admin,password=$(cat /run/secrets/kafka-admin.password)]"
END
java "$@" "@$arguments" > /dev/null  # it prints the administrator's keys, which a container's log would keep
rm "$arguments"
exec java "$@" kafka.Kafka "$config"
