// One local DynamoDB for all tests of a class; each test has a table of its own.
namespace Estat.Requests.Tests.Dynamo;

public sealed class LocalDynamo : IAsyncLifetime
{
    private DynamoDbEmulator? _emulator;

    internal DynamoDbEmulator Emulator
    {
        get
        {
            Assert.SkipUnless(DynamoDbEmulator.Available(out string reason), reason);
            return _emulator!;
        }
    }

    public async ValueTask InitializeAsync() => _emulator = DynamoDbEmulator.Available(out _) ? await DynamoDbEmulator.StartAsync() : null;

    public ValueTask DisposeAsync() => _emulator?.DisposeAsync() ?? ValueTask.CompletedTask;
}
