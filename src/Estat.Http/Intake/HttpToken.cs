// The characters of names in HTTP.
namespace Estat.Http.Intake;

/// <summary>A token (RFC 9110, 5.6.2): what the names of headers and methods are made of.</summary>
internal static class HttpToken
{
    /// <summary>Every character that may be in one.</summary>
    internal const string Characters = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
}
