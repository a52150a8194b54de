# Two images from one file:
#   docker build -t estat .                              the standalone server
#   docker build -t estat-cluster --target cluster .     a node of a cluster: silo, gateway or both, by ROLE
# The cluster's image can keep its membership in Redis or in DynamoDB. A NuGet source other than nuget.org may lack the two DynamoDB packages:
# --build-arg DYNAMODB=false builds the image without them, and CLUSTERING=dynamodb then ends the start.
# The programs are compiled ahead of time, by a package that the restore brings; --build-arg READY_TO_RUN=false does without, and they start slower.
# The runtime's image has no shell and no package manager, and runs as user 1654; the program is its own health check.
# Both hold the command line: docker exec CONTAINER dotnet /app/estat.dll dlq list
ARG SDK=mcr.microsoft.com/dotnet/sdk:10.0-noble
ARG RUNTIME=mcr.microsoft.com/dotnet/aspnet:10.0-noble-chiseled

FROM ${SDK} AS build
ARG READY_TO_RUN=true
WORKDIR /src
# The projects alone first: packages are restored again only when these change.
COPY Directory.Build.props Directory.Packages.props .editorconfig ./
COPY src/Estat.Base/Estat.Base.csproj src/Estat.Base/
COPY src/Estat.Lake/Estat.Lake.csproj src/Estat.Lake/
COPY src/Estat.Http/Estat.Http.csproj src/Estat.Http/
COPY src/Estat.Collect/Estat.Collect.csproj src/Estat.Collect/
COPY src/Estat.Requests/Estat.Requests.csproj src/Estat.Requests/
COPY src/Estat.Requests.Aws/Estat.Requests.Aws.csproj src/Estat.Requests.Aws/
COPY src/Estat.Topics/Estat.Topics.csproj src/Estat.Topics/
COPY src/Estat.Topics.Kafka/Estat.Topics.Kafka.csproj src/Estat.Topics.Kafka/
COPY src/Estat.Node/Estat.Node.csproj src/Estat.Node/
COPY src/Estat.Api/Estat.Api.csproj src/Estat.Api/
COPY src/Estat.Cli/Estat.Cli.csproj src/Estat.Cli/
RUN dotnet restore src/Estat.Cli --use-current-runtime -p:PublishReadyToRun=$READY_TO_RUN
COPY src/Estat.Base src/Estat.Base
COPY src/Estat.Lake src/Estat.Lake
COPY src/Estat.Http src/Estat.Http
COPY src/Estat.Collect src/Estat.Collect
COPY src/Estat.Requests src/Estat.Requests
COPY src/Estat.Requests.Aws src/Estat.Requests.Aws
COPY src/Estat.Topics src/Estat.Topics
COPY src/Estat.Topics.Kafka src/Estat.Topics.Kafka
COPY src/Estat.Node src/Estat.Node
COPY src/Estat.Api src/Estat.Api
COPY src/Estat.Cli src/Estat.Cli
# The command line refers to the server, so one publishing makes both programs, over the same libraries.
RUN dotnet publish src/Estat.Cli -c Release --no-restore --use-current-runtime --self-contained false -p:PublishReadyToRun=$READY_TO_RUN \
    -p:UseAppHost=false -p:DebugType=none -o /app
# An empty folder that the user of the runtime's image may write to: a new volume takes its owner from here.
RUN mkdir -p /state

FROM build AS build-cluster
ARG READY_TO_RUN=true
ARG DYNAMODB=true
COPY src/Estat.Grains/Estat.Grains.csproj src/Estat.Grains/
COPY src/Estat.Silo/Estat.Silo.csproj src/Estat.Silo/
RUN dotnet restore src/Estat.Silo --use-current-runtime -p:PublishReadyToRun=$READY_TO_RUN -p:DynamoDbClustering=$DYNAMODB
COPY src/Estat.Grains src/Estat.Grains
COPY src/Estat.Silo src/Estat.Silo
RUN dotnet publish src/Estat.Silo -c Release --no-restore --use-current-runtime --self-contained false -p:PublishReadyToRun=$READY_TO_RUN \
    -p:DynamoDbClustering=$DYNAMODB -p:UseAppHost=false -p:DebugType=none -o /silo
# What both have is the silo's.
RUN cp -r /app /app-cluster && cp -r /silo/. /app-cluster

FROM ${RUNTIME} AS runtime
COPY --from=build --chown=1654:1654 /state /var/lib/estat
WORKDIR /var/lib/estat
ENV HTTP_ADDR=:8080 \
    SPOOL_DIR=/var/lib/estat/spool \
    REQUESTS_DIR=/var/lib/estat/requests \
    TOPICS_DIR=/var/lib/estat/topics \
    DLQ_DIR=/var/lib/estat/dlq \
    STORAGE_DIR=/var/lib/estat/data
VOLUME /var/lib/estat
EXPOSE 8080
USER 1654
STOPSIGNAL SIGTERM

FROM runtime AS cluster
COPY --from=build-cluster /app-cluster /app
# Silos to each other, and gateways to silos.
EXPOSE 11111 30000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["dotnet", "/app/Estat.Silo.dll", "--health", "/health/ready"]
ENTRYPOINT ["dotnet", "/app/Estat.Silo.dll"]

FROM runtime AS standalone
COPY --from=build /app /app
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["dotnet", "/app/Estat.Api.dll", "--health", "/health/ready"]
ENTRYPOINT ["dotnet", "/app/Estat.Api.dll"]
