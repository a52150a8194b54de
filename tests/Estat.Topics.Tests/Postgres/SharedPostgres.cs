// One PostgreSQL for all tests that do no harm to it, each with a database of its own.
[assembly: AssemblyFixture(typeof(Estat.Topics.Tests.Postgres.SharedPostgres))]

namespace Estat.Topics.Tests.Postgres;

public sealed class SharedPostgres : IAsyncLifetime
{
    private PostgresServer? _server;

    public PostgresServer Server
    {
        get
        {
            Assert.SkipUnless(PostgresServer.Available(out var reason), reason);
            return _server!;
        }
    }

    public async ValueTask InitializeAsync()
    {
        if (PostgresServer.Available(out _))
        {
            _server = await PostgresServer.StartAsync("max_connections=200");
        }
    }

    public ValueTask DisposeAsync() => _server?.DisposeAsync() ?? default;
}
