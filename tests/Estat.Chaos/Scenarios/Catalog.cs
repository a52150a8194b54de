// All scenarios, in the order in which --list shows them.

namespace Estat.Chaos.Scenarios;

internal static class Catalog
{
    /// <summary>What a mixed round is composed of.</summary>
    internal static IReadOnlyList<Scenario> Single { get; } =
    [
        new Kill(), new Pause(), new Drain(), new StorageDown(), new StorageSlow(), new StorageForbidden(), new StorageCut(), new StorageHangs(),
        new StoragePortal(),
        new AnswerLost(), new AnswerLostAndKill(), new StorageAwayAndKill(), new DiskFull(), new ClockJumps(), new DiskLost(),
    ];

    internal static IReadOnlyList<Scenario> All { get; } = [.. Single, new Mixed()];

    /// <summary>A turn for each, and a second one for the death that every ack level is measured by.</summary>
    internal static IReadOnlyList<Scenario> Turns { get; } = [.. All, Single[0]];
}
