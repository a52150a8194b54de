# shellcheck shell=bash
# Sourced after dotnet.sh: finds out whether Orleans' two DynamoDB packages restore here, which not every NuGet source has, and so whether
# CLUSTERING=dynamodb is built. The answer goes to artifacts/, where Directory.Packages.props reads it in every build, and is asked for again when it
# is missing, of another version, or no longer true. DynamoDbClustering=true or false in the environment decides instead. Sets DYNAMODB_PROVIDER to
# true or false; say_dynamodb says it in one line.

DYNAMODB_PROVIDER=false
dynamodb_because=

say_dynamodb() {
    if [[ $DYNAMODB_PROVIDER == true ]]; then
        echo "DynamoDB provider: built ($dynamodb_because)"
    else
        echo "DynamoDB provider: not built ($dynamodb_because); CLUSTERING=redis needs none of it"
    fi
}

# Packages may be gone from this machine since the answer was written.
dynamodb_packages_here() {
    local packages=${NUGET_PACKAGES:-$HOME/.nuget/packages}
    [[ ! -d $packages || -d $packages/microsoft.orleans.clustering.dynamodb/$1 && -d $packages/microsoft.orleans.reminders.dynamodb/$1 ]]
}

find_dynamodb() {
    local version answer log assets=artifacts/obj/Estat.Silo/project.assets.json
    version=$(sed -nE 's:.*<OrleansVersion>([^<]+)</OrleansVersion>.*:\1:p' Directory.Packages.props)
    answer=artifacts/dynamodb-provider-$version.props
    if [[ -n ${DynamoDbClustering:-} ]]; then
        DYNAMODB_PROVIDER=$DynamoDbClustering
        dynamodb_because="DynamoDbClustering=$DynamoDbClustering in the environment"
        return
    fi
    if grep -qs '<DynamoDbClustering[^>]*>true<' "$answer" && dynamodb_packages_here "$version"; then
        DYNAMODB_PROVIDER=true
        dynamodb_because="its packages $version restore here"
        return
    fi
    dynamodb_because="no NuGet source here has its packages $version"
    if grep -qs '<DynamoDbClustering[^>]*>false<' "$answer"; then return; fi
    rm -f "$answer"
    echo "Looking once whether the packages of the DynamoDB provider restore here…"
    if log=$(NUGET_ENHANCED_MAX_NETWORK_TRY_COUNT=2 NUGET_ENHANCED_NETWORK_RETRY_DELAY_MILLISECONDS=200 timeout 180 \
        dotnet restore src/Estat.Silo -p:DynamoDbClustering=true --nologo -v quiet 2>&1) \
        && grep -qs "\"Microsoft.Orleans.Reminders.DynamoDB/$version\"" "$assets"; then
        DYNAMODB_PROVIDER=true
        dynamodb_because="its packages $version restore here"
    elif ! grep -qE 'error NU110[0-3].*Orleans\.[A-Za-z]+\.DynamoDB' <<<"$log"; then
        # Whether they are there is not known: no answer is kept.
        dynamodb_because="no NuGet source could be asked for its packages: $(grep -m 1 -oE 'error NU[0-9]+: .{1,120}' <<<"$log" || echo 'no answer')"
        return
    fi
    mkdir -p artifacts
    cat >"$answer.$$" <<TEXT
<Project>
  <!-- Whether the DynamoDB provider's packages restore on this machine; written by scripts/dynamodb-provider.sh. Delete it to look again. -->
  <PropertyGroup>
    <DynamoDbClustering Condition="'\$(DynamoDbClustering)' == ''">$DYNAMODB_PROVIDER</DynamoDbClustering>
  </PropertyGroup>
</Project>
TEXT
    mv "$answer.$$" "$answer"
}

find_dynamodb
