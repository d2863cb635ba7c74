#!/bin/sh
# Starts the broker of a container: formats the data folder with its administrator the first time. The image's own
# start script cannot make a first SCRAM user, so nobody could ever sign in.
set -eu
config=/run/secrets/kafka.properties
set -- -Dlog4j2.configurationFile=/run/log4j2.properties -Xmx"${HEAP:-1g}" -cp '/opt/kafka/libs/*'

java "$@" kafka.tools.StorageTool format --ignore-formatted --cluster-id "$CLUSTER_ID" --config "$config" \
  --add-scram "SCRAM-SHA-512=[name=admin,password=$(cat /run/secrets/kafka-admin.password)]"
exec java "$@" kafka.Kafka "$config"
