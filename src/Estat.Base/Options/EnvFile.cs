// The file .env in the working directory: variables for a program that is started by hand.
using Estat.Base.Files;

namespace Estat.Base.Options;

/// <summary>
/// Gives this process the variables that the file names and the environment does not, so that the AWS SDK and OpenTelemetry see them too. A line is
/// <c>NAME=value</c>, with or without <c>export</c> before it; a value may stand in single quotes (as it is) or double quotes (with <c>\n \t \" \\
/// \$</c>); without quotes, a space and <c>#</c> begin a comment. Other variables are not put in: <c>$</c> is a dollar sign.
/// </summary>
public static class EnvFile
{
    /// <summary>Its name.</summary>
    public const string Name = ".env";

    private const int LongestFile = 1 << 20; // bytes; a hundred variables have some 10 KB

    /// <summary>Reads the file, if there is one, and sets what is not set.</summary>
    /// <exception cref="OptionException">It cannot be read, or a line is none of a variable; values are not repeated, as they may be
    /// secrets.</exception>
    public static void Load(string path)
    {
        if (!Path.Exists(path))
        {
            return;
        }

        string text;
        try
        {
            text = RegularFile.ReadAllText(path, LongestFile);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new OptionException($"{path}: cannot be read: {error.Message.TrimEnd('.')}. Make it a readable file, or remove it.");
        }

        foreach ((string name, string value) in Parse(text, Path.GetFileName(path)))
        {
            if (Environment.GetEnvironmentVariable(name) is null)
            {
                Environment.SetEnvironmentVariable(name, value);
            }
        }
    }

    /// <summary>The variables of a text, in its order; a name that comes again replaces the one before.</summary>
    /// <param name="text">The file's.</param>
    /// <param name="source">What errors call it.</param>
    /// <exception cref="OptionException">A line is none of a variable.</exception>
    internal static IReadOnlyDictionary<string, string> Parse(string text, string source)
    {
        var variables = new Dictionary<string, string>(StringComparer.Ordinal);
        string[] lines = text.ReplaceLineEndings("\n").Split('\n');
        for (int i = 0; i < lines.Length; i++)
        {
            string line = lines[i].Trim();
            if (line.Length == 0 || line[0] == '#')
            {
                continue;
            }

            const string Export = "export ";
            line = line.StartsWith(Export, StringComparison.Ordinal) ? line[Export.Length..].TrimStart() : line;
            int equals = line.IndexOf('=', StringComparison.Ordinal);
            string name = equals < 0 ? "" : line[..equals].TrimEnd();
            if (!IsName(name) || ValueOf(line[(equals + 1)..].Trim()) is not { } value)
            {
                throw new OptionException(
                    $"{source}, line {i + 1}: must be NAME=value. Put the value in quotes if it has quotes or \" #\" in it; # begins a comment.");
            }

            variables[name] = value;
        }

        return variables;
    }

    private static bool IsName(string text) =>
        text.Length > 0 && !char.IsAsciiDigit(text[0]) && text.All(c => char.IsAsciiLetterOrDigit(c) || c == '_');

    // Null when a quote is not closed, or something but a comment comes behind it.
    private static string? ValueOf(string text)
    {
        if (text.Length == 0 || text[0] is not ('\'' or '"'))
        {
            int comment = text.StartsWith('#') ? 0 : text.IndexOf(" #", StringComparison.Ordinal);
            string plain = comment < 0 ? text : text[..comment].TrimEnd();
            return plain.Contains('\0', StringComparison.Ordinal) ? null : plain;
        }

        var value = new System.Text.StringBuilder();
        for (int i = 1; i < text.Length; i++)
        {
            if (text[i] == text[0])
            {
                string rest = text[(i + 1)..].TrimStart();
                return rest.Length == 0 || rest[0] == '#' ? value.ToString() : null;
            }

            bool isEscape = text[0] == '"' && text[i] == '\\' && i + 1 < text.Length;
            value.Append(!isEscape ? text[i] : text[++i] switch { 'n' => '\n', 't' => '\t', var other => other });
        }

        return null;
    }
}
