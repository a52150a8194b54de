// A campaign's three items: what the operator says, the sequence, and how far the decider has come.
using System.Text.Json;
using Estat.Requests.Aws.Dynamo;
using Estat.Requests.Campaigns;
using Estat.Requests.Storing;

namespace Estat.Requests.Aws.Items;

/// <summary>What the operator, the close and the draw say.</summary>
/// <param name="Campaign">Without numbers.</param>
/// <param name="Revision">Rises with each write.</param>
internal sealed record DirectoryItem(Campaign Campaign, long Revision)
{
    /// <summary>The revision's name.</summary>
    internal const string RevisionName = "rv";

    /// <summary>The version's name.</summary>
    internal const string Version = "ver";

    /// <summary>When it closed.</summary>
    internal const string ClosedAt = "cl";

    /// <summary>The draw.</summary>
    internal const string DrawName = "dr";

    private const string Settings = "se";
    private const string Paused = "pz";

    /// <summary>A campaign that is new.</summary>
    internal static Item New(Campaign campaign) => new Item(Keys.Campaign(campaign.Id))
        .With("o", campaign.Ordinal).With(Settings, Text(campaign.Settings)).With(Version, campaign.Version).With("k", campaign.Secret)
        .With("x", campaign.Seed).With(Paused, 0).With(RevisionName, 1);

    /// <summary>Reads one.</summary>
    internal static DirectoryItem Read(Item item) => new(
        new Campaign
        {
            Id = item.Key.Sk,
            Ordinal = item.Int("o"),
            Settings = JsonSerializer.Deserialize(item.Text(Settings)!, StoredJson.Default.CampaignSettings)!,
            Version = item.Long(Version),
            Secret = item.Bytes("k"),
            Seed = item.Bytes("x"),
            Counts = default,
            ClosedAt = item.Has(ClosedAt) ? DateTimeOffset.FromUnixTimeMilliseconds(item.Long(ClosedAt)) : null,
            IsPaused = item.Int(Paused) != 0,
            Draw = item.Text(DrawName) is { } draw ? JsonSerializer.Deserialize(draw, StoredJson.Default.DrawResult) : null,
        },
        item.Long(RevisionName));

    /// <summary>From one to another, on the condition that nobody changed it meanwhile.</summary>
    internal Change To(Campaign next)
    {
        Change change = Change.Update(Keys.Campaign(next.Id)).IfIs(RevisionName, Revision).Set(RevisionName, Revision + 1).Set(Version, next.Version)
            .Set(Settings, Text(next.Settings)).Set(Paused, next.IsPaused ? 1 : 0)
            .Set(DrawName, next.Draw is null ? null : JsonSerializer.Serialize(next.Draw, StoredJson.Default.DrawResult));
        return next.ClosedAt is { } closed ? change.Set(ClosedAt, closed.ToUnixTimeMilliseconds()) : change;
    }

    private static string Text(CampaignSettings settings) => JsonSerializer.Serialize(settings, StoredJson.Default.CampaignSettings);
}

/// <summary>The counter that sequences come from.</summary>
/// <param name="Last">The last sequence that was given.</param>
/// <param name="Window">Rises whenever opening or close change; who takes sequences must know it.</param>
/// <param name="IsOpen">Whether sequences are given. Once not, never again.</param>
internal readonly record struct SequenceItem(long Last, long Window, bool IsOpen)
{
    /// <summary>The counter's name.</summary>
    internal const string LastName = "n";

    /// <summary>The window's name.</summary>
    internal const string WindowName = "w";

    /// <summary>Whether it is open: 1 or 0.</summary>
    internal const string Open = "op";

    /// <summary>A campaign that is new.</summary>
    internal static Item New(string campaign) => new Item(Keys.Sequence(campaign)).With(LastName, 0).With(WindowName, 1).With(Open, 1);

    /// <summary>Reads one.</summary>
    internal static SequenceItem Read(Item item) => new(item.Long(LastName), item.Long(WindowName), item.Int(Open) != 0);

    /// <summary>Takes sequences.</summary>
    internal static Change Take(string campaign, int many, long window) => Change.Update(Keys.Sequence(campaign))
        .IfIs(Open, 1).IfIs(WindowName, window).Add(LastName, many);

    /// <summary>Gives so many sequences up, whether it is open or not.</summary>
    internal static Change AtLeast(string campaign, long more) => Change.Update(Keys.Sequence(campaign)).Add(LastName, more);

    /// <summary>Gives none any more.</summary>
    internal static Change Close(string campaign) => Change.Update(Keys.Sequence(campaign)).IfIs(Open, 1).Set(Open, 0).Add(WindowName, 1);

    /// <summary>Opening or close have changed; or everything may still change, as no sequence was given.</summary>
    internal Change Move(string campaign, bool isUntouched)
    {
        Change change = Change.Update(Keys.Sequence(campaign)).IfIs(Open, 1).IfIs(WindowName, Window).Set(WindowName, Window + 1);
        return isUntouched ? change.IfIs(LastName, 0) : change;
    }
}

/// <summary>How far a campaign's decider has come. The decider alone changes it, but for <see cref="Version"/>, and <see cref="Failed"/> at a
/// redrive.</summary>
internal sealed record ProgressItem
{
    /// <summary>The fence's name.</summary>
    internal const string FenceName = "f";

    /// <summary>The owner's name.</summary>
    internal const string OwnerName = "ow";

    /// <summary>The beat's name.</summary>
    internal const string BeatName = "bt";

    /// <summary>The version's name.</summary>
    internal const string VersionName = "ver";

    /// <summary>The name of how many failed.</summary>
    internal const string FailedName = "fa";

    /// <summary>The name of what restores have skipped.</summary>
    internal const string SkippedName = "jp";

    /// <summary>Whose campaign it is; null: nobody's.</summary>
    public string? Owner { get; init; }

    /// <summary>Rises with each owner.</summary>
    public long Fence { get; init; }

    /// <summary>Rises with each write.</summary>
    public long Beat { get; init; }

    /// <summary>Rises with each step of the decider, by one: what others write is ordered beside it by <see cref="Beat"/>.</summary>
    public long Step { get; init; }

    /// <summary>The campaign's version that decisions must know.</summary>
    public long Version { get; init; } = 1;

    /// <summary>Every sequence up to this one has an entry that never changes.</summary>
    public long Sealed { get; init; }

    /// <summary>Every sequence up to this one was decided once, or its first attempt was begun.</summary>
    public long Decided { get; init; }

    /// <summary>Every request up to this sequence was final once.</summary>
    public long Settled { get; init; }

    /// <summary>Requests up to <see cref="Sealed"/>.</summary>
    public long Accepted { get; init; }

    /// <summary>Being tried.</summary>
    public long Processing { get; init; }

    /// <summary>With a place.</summary>
    public long Succeeded { get; init; }

    /// <summary>Without, by decision.</summary>
    public long Rejected { get; init; }

    /// <summary>In the dead letters.</summary>
    public long Failed { get; init; }

    /// <summary>The last outcome's number.</summary>
    public long Outcome { get; init; }

    /// <summary>Since when the first outcome that may not be in the lake waits; milliseconds since 1970.</summary>
    public long OutcomeAt { get; init; }

    /// <summary>Whether a request was rejected because every place was taken.</summary>
    public bool HasTurnedAway { get; init; }

    /// <summary>Sequences that restores have skipped.</summary>
    public SkippedSequences Skipped { get; init; } = SkippedSequences.None;

    /// <summary>A campaign that is new.</summary>
    internal static Item New(string campaign) => new Item(Keys.Progress(campaign)).With(FenceName, 0).With(BeatName, 0).With(VersionName, 1)
        .With("co", 0).With("se", 0).With("de", 0).With("lo", 0).With("ac", 0).With("pr", 0).With("su", 0).With("rj", 0).With(FailedName, 0)
        .With("ou", 0).With("oa", 0).With("ta", 0);

    /// <summary>Reads one.</summary>
    internal static ProgressItem Read(Item item) => new()
    {
        Owner = item.Text(OwnerName),
        Fence = item.Long(FenceName),
        Beat = item.Long(BeatName),
        Step = item.Long("co"),
        Version = item.Long(VersionName),
        Sealed = item.Long("se"),
        Decided = item.Long("de"),
        Settled = item.Long("lo"),
        Accepted = item.Long("ac"),
        Processing = item.Long("pr"),
        Succeeded = item.Long("su"),
        Rejected = item.Long("rj"),
        Failed = item.Long(FailedName),
        Outcome = item.Long("ou"),
        OutcomeAt = item.Long("oa"),
        HasTurnedAway = item.Int("ta") != 0,
        Skipped = SkippedSequences.Parse(item.Text(SkippedName)),
    };

    /// <summary>The decider's step, on the condition that it still decides, from where it believes to be, and knows the campaign's version. Numbers
    /// that others change too are added to.</summary>
    internal Change To(string campaign, ProgressItem next) => Change.Update(Keys.Progress(campaign))
        .IfIs(FenceName, Fence).IfIs(VersionName, Version).IfIs("co", Step).Set("co", Step + 1)
        .Set("se", next.Sealed).Set("de", next.Decided).Set("lo", next.Settled).Set("ac", next.Accepted).Set("pr", next.Processing)
        .Set("su", next.Succeeded).Set("rj", next.Rejected).Set("ou", next.Outcome).Set("oa", next.OutcomeAt).Set("ta", next.HasTurnedAway ? 1 : 0)
        .Add(FailedName, next.Failed - Failed).Add(BeatName, 1);

    /// <summary>Whether it was read later than another one, or at the same time.</summary>
    internal bool IsNotBefore(ProgressItem other) => (Fence, Step, Beat).CompareTo((other.Fence, other.Step, other.Beat)) >= 0;

    /// <summary>The decider is alive.</summary>
    internal Change Beats(string campaign) => Change.Update(Keys.Progress(campaign)).IfIs(FenceName, Fence).Add(BeatName, 1);

    /// <summary>Another node takes over.</summary>
    internal Change Claim(string campaign, string node) => Change.Update(Keys.Progress(campaign))
        .IfIs(FenceName, Fence).IfIs(BeatName, Beat).Set(OwnerName, node).Set(FenceName, Fence + 1).Add(BeatName, 1);

    /// <summary>The decider leaves.</summary>
    internal Change Release(string campaign) => Change.Update(Keys.Progress(campaign))
        .IfIs(FenceName, Fence).Remove(OwnerName).Set(FenceName, Fence + 1).Add(BeatName, 1);

    /// <summary>Requests have left the dead letters.</summary>
    internal static Change Redrives(string campaign, int many) => Change.Update(Keys.Progress(campaign)).Add(FailedName, -many).Add(BeatName, 1);

    /// <summary>The operator has changed what decisions go by; the rules knew whether somebody was turned away.</summary>
    internal Change Renew(string campaign, long version) =>
        Change.Update(Keys.Progress(campaign)).IfIs("ta", HasTurnedAway ? 1 : 0).Set(VersionName, version).Add(BeatName, 1);
}

/// <summary>Which outcomes are in the lake.</summary>
/// <param name="Number">The last batch's number.</param>
/// <param name="First">Its first outcome.</param>
/// <param name="Last">Its last outcome; everything up to it is in the lake, or in the batch that is cut.</param>
/// <param name="CutAt">When it was cut; 0: it is in the lake.</param>
/// <param name="StoredAt">When the last batch came to the lake; 0: none has.</param>
/// <param name="Deleted">Outcomes up to this one were deleted.</param>
internal readonly record struct BatchItem(long Number, long First, long Last, long CutAt, long StoredAt, long Deleted)
{
    /// <summary>Reads one.</summary>
    internal static BatchItem Read(Item item) =>
        new(item.Long("nr"), item.Long("fi"), item.Long("la"), item.Long("ca"), item.Long("sa"), item.Long("dl"));

    /// <summary>Outcomes up to this one are in the lake.</summary>
    internal long Stored => CutAt == 0 ? Last : First - 1;

    /// <summary>Cuts a batch, unless somebody else has.</summary>
    internal Change Cut(string campaign, long last, long now)
    {
        Change change = Change.Update(Keys.Batch(campaign)).Set("nr", Number + 1).Set("fi", Last + 1).Set("la", last).Set("ca", now);
        return Number == 0 ? change.IfWithout("nr") : change.IfIs("nr", Number).IfIs("ca", 0);
    }

    /// <summary>A batch is in the lake.</summary>
    internal static Change IsStored(string campaign, long number, long now) =>
        Change.Update(Keys.Batch(campaign)).IfIs("nr", number).Set("ca", 0).Set("sa", now);

    /// <summary>Nothing is cut, and what comes next begins behind this outcome.</summary>
    internal static Change StartsAfter(string campaign, long last) =>
        Change.Update(Keys.Batch(campaign)).Set("ca", 0).Set("la", last).Set("fi", last + 1);

    /// <summary>Its outcomes were deleted.</summary>
    internal static Change AreDeleted(string campaign, long last) => Change.Update(Keys.Batch(campaign)).Set("dl", last);
}
