// What a verification prints: findings as they come, quarantine apart, the summary last.
using System.Text.Json;
using Estat.Base.Storage;
using Estat.Cli.Frame;
using Estat.Lake.Reading;
using Estat.Lake.Verifying;
using Spectre.Console;

namespace Estat.Cli.Verifying;

/// <summary>For people: <c>KEY:LINE: kind: detail</c> and a table. For machines: one JSON object a line.</summary>
internal sealed class VerifyReport(Shell shell, LakePlace place, VerifySettings settings, bool json, long limit)
{
    private const int MostQuarantineShown = 20;
    private readonly long _started = shell.Time.GetTimestamp();
    private long _told;
    private long _quarantined;
    private long _quarantinedBytes;

    private string Where => $"{place.Store.Description}/{settings.Range.Prefix}";

    internal void OnStart(Verification verification)
    {
        if (verification.IsResumed)
        {
            shell.Note($"continuing after {verification.State.LastKey}: {Words.Count(verification.State.Objects, "object")} are covered already");
        }

        if (settings.Range.IsByTime)
        {
            shell.Note("objects are chosen by when their batch opened, --lookback included, and then verified whole, with events outside of the time "
                + "as well");
        }
    }

    internal void OnFinding(Finding finding)
    {
        if (_told++ >= limit)
        {
            return;
        }

        if (json)
        {
            Write(writer =>
            {
                writer.WriteString("kind", finding.Kind);
                writer.WriteString("key", finding.Key);
                if (finding.Line is { } line)
                {
                    writer.WriteNumber("line", line);
                }

                writer.WriteString("detail", finding.Detail);
            });
        }
        else
        {
            string line = finding.Line is { } number ? $":{number}" : "";
            shell.Say(Shell.Printable($"{finding.Key}{line}: {finding.Kind}: {finding.Detail}"));
        }
    }

    /// <summary>Objects of the quarantine are no findings: they are where what cannot be read belongs.</summary>
    internal async Task ListQuarantineAsync(CancellationToken asked)
    {
        var range = new KeyRange { Prefix = place.Quarantine };
        await foreach (ObjectEntry entry in LakeScan.ListAsync(place.Store, range, asked).ConfigureAwait(false))
        {
            _quarantinedBytes += entry.Bytes;
            if (_quarantined++ < MostQuarantineShown)
            {
                await ShowQuarantinedAsync(entry, asked).ConfigureAwait(false);
            }
        }
    }

    internal int OnEnd(Verification verification, bool ended)
    {
        VerifyState state = verification.State;
        TimeSpan elapsed = shell.Time.GetElapsedTime(_started);
        long found = state.Found.Values.Sum();
        if (_told > limit)
        {
            shell.Note($"{Words.Count(_told - limit, "finding")} more were counted but not listed (--findings)");
        }

        if (json)
        {
            WriteSummary(state, ended, elapsed, verification.HashesOnDisk);
        }
        else
        {
            PrintTable(state, elapsed, verification.HashesOnDisk);
        }

        if (!ended)
        {
            TellHowToGoOn(state);
            return ExitCode.Interrupted;
        }

        if (state.Objects == 0)
        {
            shell.Note($"estat: there is no object under {Where}; --from and --prefix name another place");
        }

        return found > 0 ? ExitCode.Failed : ExitCode.Done;
    }

    internal void OnBroken(Verification verification) => TellHowToGoOn(verification.State);

    private void TellHowToGoOn(VerifyState state)
    {
        string covered = state.LastKey is null ? "no object was covered" : $"covered up to {state.LastKey}";
        string how = settings.KeepsCheckpoint ? "the same command continues from there"
            : state.LastKey is null ? "run it again"
            : $"continue with --after-key '{state.LastKey}'"
                + (settings.UniqueBy is null ? "" : " (doubles across that key are not found; --checkpoint FOLDER keeps what is needed)");
        shell.Note($"estat: interrupted; {covered}; {how}");
    }

    private async Task ShowQuarantinedAsync(ObjectEntry entry, CancellationToken asked)
    {
        try
        {
            if (await place.Store.OpenAsync(entry.Key, asked).ConfigureAwait(false) is { } open)
            {
                await using (open.ConfigureAwait(false))
                {
                    OnQuarantined(entry, open.Reason);
                }
            }
        }
        catch (StorageException error) when (error.OfObject != ObjectRefusal.None)
        {
            OnQuarantined(entry, ObjectReads.WordsOf(error, entry.Key));
        }
    }

    private void OnQuarantined(ObjectEntry entry, string? reason)
    {
        if (json)
        {
            Write(writer =>
            {
                writer.WriteString("quarantined", entry.Key);
                writer.WriteNumber("bytes", entry.Bytes);
                writer.WriteString("reason", reason);
            });
        }
        else
        {
            shell.Say(Shell.Printable($"quarantined: {entry.Key} ({Words.Bytes(entry.Bytes)}{(reason is null ? "" : $": {reason}")})"));
        }
    }

    private void PrintTable(VerifyState state, TimeSpan elapsed, long onDisk)
    {
        var table = new Table().Border(TableBorder.None).HideHeaders().AddColumn("").AddColumn("");
        void Row(string name, string value) => table.AddRow(Markup.Escape(name), Markup.Escape(value));
        Row("place", Shell.Printable(Where));
        Row("objects", $"{Words.Count(state.Objects)} ({Words.Bytes(state.Bytes)}, {Words.Bytes(state.TextBytes)} of lines)");
        Row("events", Words.Count(state.Events));
        Row("seals", place.Store.KeepsMetadata ? $"{Words.Count(state.Sealed)} compared"
            : "a folder keeps no seals: counts and hashes could not be compared");
        Row("doubled events", settings.UniqueBy is not { } by ? "not looked for (--unique-by line|id|body|$.path)"
            : $"by {by.Text}: {Words.Count(state.Found.GetValueOrDefault(FindingKind.DuplicateEvent))}"
                + (state.WithoutHash > 0 ? $"; {Words.Count(state.WithoutHash, "event")} have none" : "")
                + (onDisk > 0 ? $"; hashes: {Words.Bytes(onDisk)} on disk" : "; hashes in memory"));
        if (state.Markers > 0)
        {
            Row("markers", $"{Words.Count(state.Markers)} of other tools (_SUCCESS, _$folder$), without events");
        }

        if (_quarantined > 0)
        {
            Row("quarantine", $"{Words.Count(_quarantined, "object")} ({Words.Bytes(_quarantinedBytes)}) under {place.Quarantine}");
        }

        double seconds = Math.Max(elapsed.TotalSeconds, 0.001);
        Row("time", $"{Words.Duration(elapsed)}, {Words.Bytes((long)(state.Bytes / seconds))}/s, {Words.Count((long)(state.Events / seconds))} "
            + $"events/s");
        foreach ((string kind, long count) in state.Found)
        {
            Row($"found: {kind}", Words.Count(count));
        }

        if (state.Found.Count == 0)
        {
            Row("found", "nothing");
        }

        shell.Tables().Write(table);
    }

    private void WriteSummary(VerifyState state, bool ended, TimeSpan elapsed, long onDisk) => Write(writer =>
    {
        writer.WriteStartObject("summary");
        writer.WriteString("place", Where);
        writer.WriteBoolean("complete", ended);
        writer.WriteString("last_key", state.LastKey);
        writer.WriteNumber("objects", state.Objects);
        writer.WriteNumber("bytes", state.Bytes);
        writer.WriteNumber("events", state.Events);
        writer.WriteNumber("text_bytes", state.TextBytes);
        writer.WriteNumber("sealed", state.Sealed);
        writer.WriteString("unique_by", settings.UniqueBy?.Text);
        writer.WriteNumber("without_unique", state.WithoutHash);
        writer.WriteNumber("hash_bytes_on_disk", onDisk);
        writer.WriteNumber("markers", state.Markers);
        writer.WriteNumber("quarantined_objects", _quarantined);
        writer.WriteNumber("seconds", Math.Round(elapsed.TotalSeconds, 3));
        writer.WriteStartObject("found");
        foreach ((string kind, long count) in state.Found)
        {
            writer.WriteNumber(kind, count);
        }

        writer.WriteEndObject();
        writer.WriteEndObject();
    });

    private void Write(Action<Utf8JsonWriter> write) => shell.Say(JsonLine.Of(write));
}
