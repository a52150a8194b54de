// One replay: its checkpoint, its progress, what it says at its end.
using System.Security.Cryptography;
using System.Text;
using Estat.Base.Storage;
using Estat.Cli.Frame;
using Estat.Cli.Lake;
using Estat.Cli.Run;
using Estat.Lake.Reading;
using Estat.Lake.Replaying;

namespace Estat.Cli.Replaying;

/// <summary>The checkpoint is written before the first request and after acknowledged work, and removed when all is done.</summary>
internal sealed class ReplayRun(Shell shell, ReplayOptions options, ParseResult parsed, ReplaySource source, string to) : IDisposable
{
    private readonly bool _json = options.Json(parsed);
    private readonly bool _dryRun = options.DryRun(parsed);
    private readonly long _started = shell.Time.GetTimestamp();
    private string _checkpoint = "";
    private FileStream? _held;
    private long _saved;

    internal async Task<int> ThroughIngestAsync()
    {
        if (!Uri.TryCreate(to.TrimEnd('/') + "/", UriKind.Absolute, out Uri? url))
        {
            throw CliException.Usage($"--to {to}: is not a URL");
        }

        (double? events, double? bytes) = options.Rate(parsed);
        ReplayState state = Begin(options.Words(parsed));
        KeyRange range = source.Range with { Since = state.Since, Until = state.Until, OpenedBefore = source.IsLake ? state.Began : null };
        RequestSettings requests = new() { Form = options.Form(parsed), Filter = options.Filter(parsed), Range = range,
            MostEvents = options.Batch(parsed) };
        await SameServer.RefuseAsync(shell, url, source, options.IntoSame(parsed) || _dryRun).ConfigureAwait(false);
        if (requests.Form == ReplayForm.Body && !_dryRun)
        {
            shell.Note("bodies and ids are sent again; ts, ip, user_agent and cookie become those of this replay (--as line keeps the whole line)");
        }

        using var target = new IngestTarget(
            url, options.Key(parsed), options.Ack(parsed), options.Connections(parsed), options.GiveUp(parsed), shell.Time, shell.Interruption.Late);
        var settings = new IngestSettings
        {
            Store = source.Store,
            Range = range,
            Requests = requests,
            Connections = options.Connections(parsed),
            Parallel = options.Parallel(parsed),
            IsWanted = source.IsWanted,
            ByEvents = events is { } e && !_dryRun ? new Pace(e, shell.Time) : null,
            ByBytes = bytes is { } b && !_dryRun ? new Pace(b, shell.Time) : null,
        };
        int code = await RunAsync(settings.Range, state, lake =>
        {
            var replay = new IngestReplay(settings, _dryRun ? new NoTarget() : target, state, Save, shell.Time)
            {
                OnFailed = (key, line, why) => TellFailed(key, line > 0 ? line : null, why),
                OnObject = entry => lake.OnObject(entry, Words.Count(state.Events, "event")),
            };
            return replay.RunAsync(shell.Asked);
        }).ConfigureAwait(false);
        if (target.AcknowledgesInMemory)
        {
            shell.Note("the server acknowledged at level memory: if it crashes now, events are lost. --ack disk asks for more");
        }

        return code;
    }

    internal async Task<int> ToPlaceAsync()
    {
        if (!options.Filter(parsed).TakesAll)
        {
            throw CliException.Usage("--where and --contains choose events, but to another bucket or folder whole objects are copied");
        }

        if (source.Range.IsByTime)
        {
            shell.Note("whole objects are copied: those whose batch opened in that time, --lookback included");
        }

        using LakePlace place = LakePlace.Parse(
            to, ServerOptions.Bind().Collect.ObjectStorage with { RawPrefix = source.Prefix.TrimEnd('/') }, mustExist: _dryRun);
        if (place.Store.Description == source.Store.Description && place.Prefix == source.Prefix)
        {
            throw CliException.Usage($"--to {to}: is the place that the objects come from");
        }

        (double? events, double? bytes) = options.Rate(parsed);
        if (events is not null)
        {
            throw CliException.Usage("--rate: to another bucket or folder it takes bytes, such as 10MB");
        }

        ReplayState state = Begin($"{options.RangeWords(parsed)} objects");
        var copy = new BucketCopy(source.Store, place.Store, key => source.KeyOfCopy(key, place.Prefix), _dryRun);
        Pace? pace = bytes is { } b && !_dryRun ? new Pace(b, shell.Time) : null;
        KeyRange range = source.Range with { AfterKey = state.Key ?? source.Range.AfterKey, Since = state.Since, Until = state.Until };
        return await RunAsync(range, state, lake => LakeScan.RunAsync(source.Store, range, options.Parallel(parsed), async entry =>
        {
            if (!source.IsWanted(entry.Key))
            {
                return new CopyResult(CopyOutcome.Gone);
            }

            if (pace is not null)
            {
                await pace.WaitAsync(entry.Bytes, shell.Asked).ConfigureAwait(false);
            }

            return await copy.CopyAsync(entry).ConfigureAwait(false);
        }, (entry, result) =>
        {
            Note(state, entry, result, source.KeyOfCopy(entry.Key, place.Prefix));
            lake.OnObject(entry, state.Equal > 0 ? $"{Words.Count(state.Equal)} were there" : "");
            return ValueTask.CompletedTask;
        }, shell.Asked)).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public void Dispose() => _held?.Dispose();

    private void Note(ReplayState state, ObjectEntry entry, CopyResult result, string key)
    {
        switch (result.Outcome)
        {
            case CopyOutcome.Copied:
                state.Objects++;
                state.Bytes += entry.Bytes;
                break;
            case CopyOutcome.Equal:
                state.Equal++;
                break;
            case CopyOutcome.Differs:
                state.Failed++;
                TellFailed(entry.Key, null, $"another object has the key {key} there; nothing was changed");
                break;
            case CopyOutcome.Unreadable:
                state.Failed++;
                TellFailed(entry.Key, null, result.Why!);
                break;
            default:
                break;
        }

        state.Reach(entry.Key, long.MaxValue);
        SaveSoon(state);
    }

    private async Task<int> RunAsync(KeyRange range, ReplayState state, Func<LakeProgress, Task<bool>> work)
    {
        bool ended = false;
        try
        {
            Save(state);
            var progress = new Progress();
            var lake = new LakeProgress(progress);
            ended = await shell.ProgressAsync(
                _dryRun ? "counting" : "replaying", progress,
                () => lake.WhileCountingAsync(source.Store, range, () => work(lake)), options.Quiet(parsed)).ConfigureAwait(false);
        }
        finally
        {
            if (!ended)
            {
                Save(state);
                Summarize(state, ended);
                TellHowToGoOn(state);
            }
        }

        if (!ended)
        {
            return ExitCode.Interrupted;
        }

        if (!_dryRun)
        {
            File.Delete(_checkpoint);
        }

        Summarize(state, ended);
        return state.Failed > 0 ? ExitCode.Failed : ExitCode.Done;
    }

    private ReplayState Begin(string how)
    {
        string what = $"{source.Description} to {to} {how}";
        string name = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(what)))[..8];
        _checkpoint = options.Checkpoint(parsed) ?? $"estat-replay-{name}.json";
        _held = _dryRun ? null : HeldFile.Of(
            _checkpoint, $"{_checkpoint}: another estat replay uses it. Wait for it, stop it, or name another file by --checkpoint");
        ReplayState? before = _dryRun ? null : ReplayState.Read(_checkpoint);
        if (before is null)
        {
            return new ReplayState { What = what, Began = shell.Time.GetUtcNow(), Since = source.Range.Since, Until = source.Range.Until };
        }

        if (before.What != what)
        {
            throw new CliException(
                $"{_checkpoint}: is the checkpoint of another replay ({before.What}). Name another file by --checkpoint, or delete it");
        }

        shell.Note(before.Key is null ? $"continuing from {_checkpoint}: nothing was acknowledged before"
            : $"continuing from {_checkpoint}: after {before.Key}{(before.Line == long.MaxValue ? "" : $" line {before.Line}")}, "
                + $"{Words.Count(before.Events, "event")}, {Words.Count(before.Objects, "object")}");
        return before;
    }

    private void SaveSoon(ReplayState state)
    {
        if (shell.Time.GetElapsedTime(_saved) > TimeSpan.FromMilliseconds(200))
        {
            Save(state);
        }
    }

    private void Save(ReplayState state)
    {
        if (!_dryRun)
        {
            state.Save(_checkpoint);
            _saved = shell.Time.GetTimestamp();
        }
    }

    private void TellFailed(string key, long? line, string why)
    {
        if (_json)
        {
            shell.Say(JsonLine.Of(writer =>
            {
                writer.WriteString("failed", key);
                if (line is { } number)
                {
                    writer.WriteNumber("line", number);
                }

                writer.WriteString("reason", why);
            }));
        }
        else
        {
            shell.Say(Shell.Printable($"{key}{(line is { } number ? $":{number}" : "")}: {why}"));
        }
    }

    private void Summarize(ReplayState state, bool ended)
    {
        TimeSpan elapsed = shell.Time.GetElapsedTime(_started);
        if (_json)
        {
            shell.Say(JsonLine.Of(writer =>
            {
                writer.WriteStartObject("summary");
                writer.WriteBoolean("complete", ended);
                writer.WriteBoolean("dry_run", _dryRun);
                writer.WriteNumber("objects", state.Objects);
                writer.WriteNumber("events", state.Events);
                writer.WriteNumber("bytes", state.Bytes);
                writer.WriteNumber("left_out", state.LeftOut);
                writer.WriteNumber("already_there", state.Equal);
                writer.WriteNumber("failed", state.Failed);
                writer.WriteNumber("uncertain", state.Uncertain);
                writer.WriteNumber("seconds", Math.Round(elapsed.TotalSeconds, 3));
                writer.WriteEndObject();
            }));
            return;
        }

        var parts = new List<string> { $"{(_dryRun ? "would replay" : "replayed")} {Words.Count(state.Objects, "object")}" };
        void Add(long number, string words)
        {
            if (number > 0)
            {
                parts.Add($"{Words.Count(number)} {words}");
            }
        }

        Add(state.Events, state.Events == 1 ? "event" : "events");
        Add(state.Equal, "there already, the same");
        Add(state.LeftOut, "events left out");
        Add(state.Failed, "failed, see above");
        shell.Say($"{string.Join(", ", parts)}, {Words.Bytes(state.Bytes)} to {to} in {Words.Duration(elapsed)}");
        if (state.Uncertain > 0)
        {
            shell.Note($"{Words.Count(state.Uncertain, "event")} were sent again, because no answer said whether the server had taken them. They may "
                + "be there twice, under the same id (estat verify --unique-by id finds them)");
        }
    }

    private void TellHowToGoOn(ReplayState state)
    {
        if (_dryRun)
        {
            return;
        }

        string where = state.Key is null ? "nothing was acknowledged"
            : $"acknowledged up to {state.Key}{(state.Line == long.MaxValue ? "" : $" line {state.Line}")}";
        shell.Note($"estat: ended early; {where}; saved in {_checkpoint}: the same command continues from there");
    }

    // What a dry run sends to.
    private sealed class NoTarget : IReplayTarget
    {
        public Task<ReplayAnswer> SendAsync(ReplayRequest request, CancellationToken asked) =>
            Task.FromResult(new ReplayAnswer(IsTaken: true, [], false));
    }
}
