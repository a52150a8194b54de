// The embedded store keeps what every store promises.
using Estat.Requests.Tests.Storing;

namespace Estat.Requests.Tests.Sqlite;

public sealed class SqliteComplianceTests : StoreComplianceTests
{
    private protected override IStorePlace NewPlace() => new SqlitePlace();
}
