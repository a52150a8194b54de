// The rows of the options that say which write keys there are.
using Estat.Base.Options;
using Option = Estat.Base.Options.OptionSpec<Estat.Base.Access.WriteKeyOptions>;

namespace Estat.Base.Access;

/// <summary>The table of <see cref="WriteKeyOptions"/>.</summary>
internal static class WriteKeyOptionTable
{
    private const string WriteKeyList = "a comma-separated list of name=key, or name=SHA-256 of the key in hex";

    /// <summary>In the order in which help and README list them.</summary>
    internal static IReadOnlyList<Option> All { get; } =
    [
        Option.Text("WRITE_KEYS_FILE", "", "a file's path; docs/keys.md shows what it holds",
            "JSON file of write keys with their limits. The node reads it again when it changes. Without any key, every client that reaches "
            + "HTTP_ADDR may send.",
            OptionTexts.IsPath, (o, v) => o with { File = v }),
        new Option("WRITE_KEYS", "", WriteKeyList, "A few more write keys, without limits of their own.", BindWriteKeys),
        Option.OneOf("OPEN_INGEST", "false", [("true", true), ("false", false)],
            "Whether requests without a write key are taken although keys are set. A request with a wrong key is never taken.",
            (o, v) => o with { OpenIngest = v }),
    ];

    // Whatever is wrong with it, it is not repeated: it holds keys.
    private static WriteKeyOptions BindWriteKeys(WriteKeyOptions options, string text)
    {
        try
        {
            return options with { Listed = WriteKeyFile.ParseList(text) };
        }
        catch (WriteKeyException error)
        {
            throw new OptionException($"WRITE_KEYS: must be {WriteKeyList}: {error.Message}.");
        }
    }
}
