// Promises 1 to 7 of docs/topics.md, tried by power cuts and kills at any moment, on disks that fail.
using Estat.Testing.PowerCuts;

namespace Estat.Topics.Tests.Embedded;

public sealed class EmbeddedLogModelTests
{
    [Fact]
    public Task What_producers_were_told_holds_and_the_sink_reads_each_message_once_in_order() =>
        Seeds.RunAsync(300, 2 * Environment.ProcessorCount, seed => new EmbeddedLogModel(seed).RunAsync());
}
