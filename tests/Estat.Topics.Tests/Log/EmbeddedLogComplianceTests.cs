using Estat.Topics.Embedded;
using Estat.Topics.Log;
using Estat.Topics.Options;

namespace Estat.Topics.Tests.Log;

public sealed class EmbeddedLogComplianceTests : TopicLogCompliance
{
    private readonly TempFolder _folder = new();

    private protected override Task<ITopicLog> OpenAsync() => Task.FromResult<ITopicLog>(new EmbeddedLog(
        new TopicsOptions { MinFreeBytes = 0 }, LogFolder.Take(_folder.Path, 0), TimeProvider.System, new LogLines()));

    private protected override ValueTask CloseAsync()
    {
        _folder.Dispose();
        return default;
    }
}
