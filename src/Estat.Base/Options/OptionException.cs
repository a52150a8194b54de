// The one way in which a wrong option is reported.
namespace Estat.Base.Options;

/// <summary>An option has a value that it cannot take. The message is one line: the name, the value and what it takes.</summary>
public sealed class OptionException(string message) : Exception(message);
