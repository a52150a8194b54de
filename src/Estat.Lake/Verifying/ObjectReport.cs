// One object looked at from all sides.
using System.Security.Cryptography;
using Estat.Base.Storage;
using Estat.Lake.Lines;
using Estat.Lake.Names;
using Estat.Lake.Reading;

namespace Estat.Lake.Verifying;

/// <summary>What one object holds and what is wrong with it.</summary>
internal sealed class ObjectReport
{
    // An object of another kind is wrong in every line: the first say enough.
    private const int MostLineFindings = 10;

    internal List<Finding> Findings { get; } = [];

    /// <summary>Lines.</summary>
    internal long Events { get; private set; }

    /// <summary>Lines that are wrong.</summary>
    internal long BrokenLines { get; private set; }

    /// <summary>Events that lack what is to be unique.</summary>
    internal long WithoutHash { get; private set; }

    /// <summary>Bytes of text.</summary>
    internal long TextBytes { get; private set; }

    /// <summary>Whether the metadata held a seal.</summary>
    internal bool HasSeal { get; private set; }

    /// <summary>SHA-256 of all lines; null when they could not be read to the end.</summary>
    internal string? Sha256 { get; private set; }

    /// <summary>Hash and line of each event, when asked for.</summary>
    internal List<(UInt128 Hash, int Line)> Hashes { get; } = [];

    /// <summary>Looks at it. <paramref name="keepsMetadata"/>: whether the store keeps seals and types at all.</summary>
    internal static ObjectReport Of(FetchedObject fetched, bool keepsMetadata, UniqueBy? uniqueBy)
    {
        var report = new ObjectReport();
        string key = fetched.Entry.Key;
        if (BatchName.TryParse(key) is not { } name)
        {
            report.Add(FindingKind.ForeignKey, key, null,
                "no node makes such a key: <prefix>/dt=YYYY-MM-DD/hr=HH/<unix>_<instance>_<counter>.jsonl.gz. Find out what else writes here");
            if (!key.EndsWith(ObjectKeys.Extension, StringComparison.Ordinal))
            {
                return report; // what it holds is somebody else's matter
            }
        }
        else if (name.IsConflict)
        {
            report.Add(FindingKind.Conflict, key, null,
                "stored under this key because another writer's object was under its own. Find out what else writes here");
        }

        report.ReadLines(fetched, uniqueBy);
        if (keepsMetadata)
        {
            report.CompareMetadata(fetched);
        }

        return report;
    }

    /// <summary>Of an object that the store does not give.</summary>
    internal static ObjectReport OfRefused(string key, string why)
    {
        var report = new ObjectReport();
        report.Add(FindingKind.Unreadable, key, null, why);
        return report;
    }

    private void ReadLines(FetchedObject fetched, UniqueBy? uniqueBy)
    {
        string key = fetched.Entry.Key;
        var line = new StoredLine();
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using Stream content = fetched.OpenRead();
        using var lines = new JsonLines(content);
        try
        {
            while (lines.Read())
            {
                hash.AppendData(lines.Line);
                if (line.Read(lines.Line) is { } fault)
                {
                    OnBrokenLine(key, lines.Lines, fault);
                }
                else if (uniqueBy is not null)
                {
                    AddHash(uniqueBy.HashOf(lines.Line, line), lines.Lines);
                }
            }

            Sha256 = Convert.ToHexStringLower(hash.GetHashAndReset());
            if (lines.Lines == 0)
            {
                Add(FindingKind.Gzip, key, null, "it holds no line");
            }
        }
        catch (InvalidDataException error)
        {
            Add(FindingKind.Gzip, key, lines.Lines + 1, $"{error.Message}; {lines.Lines} lines could be read");
        }

        Events = lines.Lines;
        TextBytes = lines.Bytes;
        if (BrokenLines > MostLineFindings)
        {
            Add(FindingKind.Line, key, null, $"{BrokenLines - MostLineFindings} more lines are wrong");
        }
    }

    private void OnBrokenLine(string key, long line, string fault)
    {
        if (++BrokenLines <= MostLineFindings)
        {
            Add(FindingKind.Line, key, line, fault);
        }
    }

    private void AddHash(UInt128? hash, long line)
    {
        if (hash is { } known)
        {
            Hashes.Add((known, (int)line));
        }
        else
        {
            WithoutHash++;
        }
    }

    private void CompareMetadata(FetchedObject fetched)
    {
        string key = fetched.Entry.Key;
        HasSeal = fetched.Seal is not null;
        if (fetched.ContentType != S3ObjectStore.JsonLines || fetched.ContentEncoding != "gzip")
        {
            Add(FindingKind.Metadata, key, null, $"Content-Type is {fetched.ContentType ?? "missing"}, Content-Encoding "
                + $"{fetched.ContentEncoding ?? "missing"}; Estat writes {S3ObjectStore.JsonLines}, gzip");
        }

        if (fetched.Seal is not { } seal)
        {
            Add(FindingKind.NoSeal, key, null, "its metadata holds no seal (estat-events, estat-bytes, estat-sha256, estat-last-sequence): not "
                + "written by a node, or copied without metadata");
        }
        else if (Sha256 is not null && (seal.Events != Events || seal.Bytes != TextBytes || seal.Sha256 != Sha256))
        {
            string what = seal.Events != Events ? $"it has {Events} lines, but its seal says {seal.Events}"
                : seal.Bytes != TextBytes ? $"it has {TextBytes} bytes of text, but its seal says {seal.Bytes}"
                : $"its SHA-256 is {Sha256}, but its seal says {seal.Sha256}";
            Add(FindingKind.Seal, key, null, what);
        }
    }

    private void Add(string kind, string key, long? line, string detail) => Findings.Add(new Finding(kind, key, line, detail));
}
