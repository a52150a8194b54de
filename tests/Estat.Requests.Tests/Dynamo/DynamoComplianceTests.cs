// The store in DynamoDB keeps what every store promises.
using Estat.Requests.Tests.Storing;

namespace Estat.Requests.Tests.Dynamo;

public sealed class DynamoComplianceTests(LocalDynamo dynamo) : StoreComplianceTests, IClassFixture<LocalDynamo>
{
    private protected override IStorePlace NewPlace() => new DynamoPlace(dynamo.Emulator);
}
