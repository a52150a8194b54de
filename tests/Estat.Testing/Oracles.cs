// How long the tests run that only get better with time.

namespace Estat.Testing;

/// <summary>Short on every `make test`; as long as they have ever been with LONG=1.</summary>
public static class Oracles
{
    /// <summary>Whether somebody asked for the long forms.</summary>
    public static bool AreLong { get; } = Environment.GetEnvironmentVariable("LONG") == "1";
}
