// The journal's promises (docs/decisions/0009-journal.md), tried by power cuts and kills at any moment, on disks that fail.
using Estat.Testing.PowerCuts;

namespace Estat.Base.Tests.Journal;

public sealed class JournalModelTests
{
    [Fact]
    public Task What_was_durable_or_read_stays_at_its_position_and_nothing_else_is_there() =>
        Seeds.RunAsync(5000, Environment.ProcessorCount, seed =>
        {
            new JournalModel(seed).Run();
            return Task.CompletedTask;
        });

    [Fact]
    public Task What_many_append_at_once_is_durable_in_the_order_of_each() =>
        Seeds.RunAsync(300, 2 * Environment.ProcessorCount, seed => new JournalRaceModel(seed).RunAsync());
}
