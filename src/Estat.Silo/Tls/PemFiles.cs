// Certificates and keys of an operator's PEM files.
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Estat.Base.Files;
using Estat.Base.Options;

namespace Estat.Silo.Tls;

/// <summary>A file that cannot be used ends the start with its option's name.</summary>
internal static class PemFiles
{
    private const int LongestFile = 1 << 20;

    /// <summary>A certificate with its private key.</summary>
    /// <exception cref="OptionException">One of the files cannot be read as what it should be.</exception>
    internal static X509Certificate2 WithKey(string option, string certificate, string key) =>
        Load(option, certificate, () => X509Certificate2.CreateFromPem(Read(certificate), Read(key)));

    /// <summary>All certificates of a file, one at least.</summary>
    /// <exception cref="OptionException">The file cannot be read as that.</exception>
    internal static X509Certificate2Collection Authorities(string option, string path) => Load(option, path, () =>
    {
        var authorities = new X509Certificate2Collection();
        authorities.ImportFromPem(Read(path));
        return authorities.Count > 0 ? authorities : throw new CryptographicException("it holds no certificate");
    });

    // What is no file, such as a named pipe, must not keep the node from starting or from ending.
    private static string Read(string path) => RegularFile.ReadAllText(path, LongestFile);

    private static T Load<T>(string option, string path, Func<T> load)
    {
        try
        {
            return load();
        }
        catch (Exception error) when (error is CryptographicException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new OptionException(
                $"{option}={path}: must be a PEM file that can be read ({error.Message.ReplaceLineEndings(" ").TrimEnd('.')}).");
        }
    }
}
