// What is recognisably not lines of text in UTF-8, by its first bytes: archives, columns, UTF-16.

namespace Estat.Collect.Events;

/// <summary>
/// Names what a batch's body or a file is, where its lines would be stored as garbage. Formats are told by bytes that no text in UTF-8 begins with,
/// or that nobody begins a line with.
/// </summary>
public static class ForeignContent
{
    /// <summary>First bytes that are looked at.</summary>
    public const int Looked = 512;

    private const int TarAt = 257;

    /// <summary>UTF-16 or UTF-32 by its byte order mark, and the mark's length; null without.</summary>
    public static (string Charset, int Length)? MarkOf(ReadOnlySpan<byte> start) => start switch
    {
        [0xFF, 0xFE, 0, 0, ..] => ("utf-32", 4),
        [0, 0, 0xFE, 0xFF, ..] => ("utf-32BE", 4),
        [0xFF, 0xFE, ..] => ("utf-16", 2),
        [0xFE, 0xFF, ..] => ("utf-16BE", 2),
        _ => null,
    };

    /// <summary>
    /// What begins so; null for anything that may be lines, compressed by gzip or not. UTF-16 is named here only if it has no byte order mark.
    /// </summary>
    /// <param name="start">The first bytes, <see cref="Looked"/> of them if there are as many.</param>
    public static string? NameOf(ReadOnlySpan<byte> start) => start switch
    {
        [0x28, 0xB5, 0x2F, 0xFD, ..] => "zstd",
        [(byte)'B', (byte)'Z', (byte)'h', >= (byte)'1' and <= (byte)'9', 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, ..] => "bzip2",
        [(byte)'B', (byte)'Z', (byte)'h', >= (byte)'1' and <= (byte)'9', 0x17, 0x72, 0x45, 0x38, 0x50, 0x90, ..] => "bzip2",
        [0xFD, (byte)'7', (byte)'z', (byte)'X', (byte)'Z', 0, ..] => "xz",
        [(byte)'7', (byte)'z', 0xBC, 0xAF, 0x27, 0x1C, ..] => "7z",
        [(byte)'P', (byte)'K', 3, 4, ..] or [(byte)'P', (byte)'K', 5, 6, ..] => "zip",
        [0x04, 0x22, 0x4D, 0x18, ..] => "lz4",
        [0xFF, 0x06, 0, 0, (byte)'s', (byte)'N', (byte)'a', (byte)'P', (byte)'p', (byte)'Y', ..] => "snappy",
        [(byte)'P', (byte)'A', (byte)'R', (byte)'1', < (byte)' ', ..] => "Parquet",
        [(byte)'O', (byte)'b', (byte)'j', 1, ..] => "Avro",
        [(byte)'A', (byte)'R', (byte)'R', (byte)'O', (byte)'W', (byte)'1', 0, 0, ..] => "Arrow",
        [0, (>= (byte)' ' and <= (byte)'~') or (byte)'\n' or (byte)'\r' or (byte)'\t', 0, not 0, ..] => "UTF-16 without a byte order mark",
        [(>= (byte)' ' and <= (byte)'~') or (byte)'\n' or (byte)'\r' or (byte)'\t', 0, not 0, 0, ..] => "UTF-16 without a byte order mark",
        _ => start.Length > TarAt && start[TarAt..].StartsWith("ustar"u8) && start[..TarAt].Contains((byte)0) ? "tar" : null,
    };
}
