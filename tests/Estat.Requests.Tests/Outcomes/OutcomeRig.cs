// A store with requests, a folder for the lake, and the writer between the two.
using System.IO.Compression;
using System.Text.Json;
using Estat.Base.Storage;
using Estat.Requests.Options;
using Estat.Requests.Outcomes;
using Estat.Requests.Tests.Sqlite;
using Estat.Requests.Tests.Storing;
using Estat.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace Estat.Requests.Tests.Outcomes;

/// <summary>The clock moves only when the test says so.</summary>
internal sealed class OutcomeRig : IAsyncDisposable
{
    internal const string Prefix = "raw";
    private readonly TempFolder _folder = new();
    private readonly SqlitePlace _place = new();
    private readonly RequestsOptions _options;

    private OutcomeRig(int batch) => _options = new RequestsOptions { OutcomeBatch = batch };

    internal ManualTimeProvider Time { get; } = new();

    internal TestRule Rule { get; } = new();

    internal IRequestStore Store { get; private set; } = null!;

    internal SwitchedStore Lake { get; private set; } = null!;

    internal OutcomeWriter Writer { get; private set; } = null!;

    /// <summary>Where the lake's objects are.</summary>
    internal string Root => _folder.Path;

    internal static async Task<OutcomeRig> OpenAsync(int batch = 1_000)
    {
        var rig = new OutcomeRig(batch);
        rig.Lake = new SwitchedStore(new FolderObjectStore(rig.Root, TimeProvider.System));
        await rig.StartAsync();
        return rig;
    }

    /// <summary>Loses the process, and starts the next.</summary>
    internal async Task KillAsync()
    {
        await _place.KillAsync(Store);
        await StartAsync();
    }

    internal async Task MakeAsync(string campaign, long capacity) =>
        await Store.PutCampaignAsync(
            campaign, new CampaignSettings { Policy = CampaignPolicy.FirstCome, OpensAt = Time.GetUtcNow().AddDays(-1), Capacity = capacity },
            expected: 0);

    internal async Task AcceptAsync(string campaign, string user) =>
        Assert.Equal(
            AcceptanceOutcome.Accepted,
            (await Store.AcceptAsync(new Submission(campaign, IdOf(campaign, user), UserId.Of(user)!.Value, default))).Outcome);

    /// <summary>Has requests accepted, and waits until they are decided.</summary>
    internal async Task DecideAsync(string campaign, params string[] users)
    {
        foreach (string user in users)
        {
            await AcceptAsync(campaign, user);
        }

        await UntilDecidedAsync(campaign);
    }

    internal Task UntilDecidedAsync(string campaign) => Time.AdvanceUntilAsync(
        TimeSpan.FromMilliseconds(1), () => Store.FindCampaign(campaign)!.Counts.Open == 0, $"everything of {campaign} to be decided");

    internal RequestId IdOf(string campaign, string user) =>
        RequestId.Of(Store.FindCampaign(campaign)!.Secret.Span, campaign, UserId.Of(user)!.Value);

    /// <summary>Keys of all objects of outcomes.</summary>
    internal string[] Keys() => Directory.Exists(Path.Combine(Root, Prefix + "_outcomes"))
        ? [.. Directory.EnumerateFiles(Path.Combine(Root, Prefix + "_outcomes"), "*.jsonl.gz", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(Root, file)).Order(StringComparer.Ordinal)]
        : [];

    /// <summary>The lines of all objects, by their numbers.</summary>
    internal JsonElement[] Lines() => [.. Keys().SelectMany(LinesOf).OrderBy(line => line.GetProperty("number").GetInt64())];

    internal IEnumerable<JsonElement> LinesOf(string key)
    {
        using var reader = new StreamReader(new GZipStream(File.OpenRead(Path.Combine(Root, key)), CompressionMode.Decompress));
        return [.. reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement)];
    }

    public async ValueTask DisposeAsync()
    {
        await Store.DisposeAsync();
        await _place.DisposeAsync();
        Lake.Dispose();
        _folder.Dispose();
    }

    private async Task StartAsync()
    {
        Store = await _place.OpenAsync(Rule, Time, queue: 20_000);
        Writer = new OutcomeWriter(Store, Lake, Prefix, _options, new TracedRequests(), Time, NullLogger.Instance);
    }
}
