// An issuer's keys in a file that the operator keeps: JWT_JWKS_FILE.
using Estat.Base.Files;
using Estat.Base.Logging;
using Estat.Base.Options;
using Microsoft.IdentityModel.Tokens;

namespace Estat.Http.Access;

/// <summary>
/// Looks every second whether the file has changed. A file that turned unusable, or went away, changes nothing but the log: the keys that were read
/// before stay in force. Any thread.
/// </summary>
internal sealed partial class FileKeys : ITokenKeys
{
    private const int LongestFile = 1 << 20;
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);

    private readonly TokenOptions _options;
    private readonly LifetimeValidator _lives;
    private readonly ILogger _logger;
    private readonly FileChore _looking;
    private readonly ToldFault _trouble = new();
    private byte[] _seen; // touched by the constructor, then by the looks
    private volatile TokenKeySet _current;

    /// <param name="options">Checked options, with a file.</param>
    /// <param name="lives">Whether a token's time is now.</param>
    /// <param name="time">Clock and timer.</param>
    /// <param name="logger">Where readings are told.</param>
    /// <exception cref="OptionException">The file cannot be used.</exception>
    internal FileKeys(TokenOptions options, LifetimeValidator lives, TimeProvider time, ILogger logger)
    {
        _options = options;
        _lives = lives;
        _logger = logger;
        _looking = new FileChore(LookInterval, time, _ => Look(), () => OnTrouble("reading it hangs; check its disk"));
        try
        {
            _seen = Read();
            _current = Parse(_seen);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            throw new OptionException($"JWT_JWKS_FILE={options.JwksFile}: {error.Message.ReplaceLineEndings(" ").TrimEnd('.')}. "
                + "It has to be the issuer's JWKS: {\"keys\":[…]}.");
        }
    }

    /// <inheritdoc/>
    public TokenKeySet Current => _current;

    /// <inheritdoc/>
    public bool Fails => _trouble.Lasts;

    /// <summary>The look under way, or the last one.</summary>
    internal Task Looking => _looking.Round;

    /// <inheritdoc/>
    public void Start() => _looking.Start();

    /// <inheritdoc/>
    public ValueTask<TimeSpan?> RenewAsync() => ValueTask.FromResult<TimeSpan?>(_trouble.Lasts ? LookInterval : null);

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _looking.Dispose();
        return ValueTask.CompletedTask;
    }

    private void Look()
    {
        try
        {
            byte[] content = Read();
            if (!content.AsSpan().SequenceEqual(_seen) || _trouble.Lasts)
            {
                _current = Parse(content);
                _seen = content;
                LogKeys(_logger, _options.JwksFile!, _current.Names);
            }

            _trouble.End();
        }
        catch (Exception error)
        {
            // Whatever it is, the keys that were read still hold and the next look comes.
            OnTrouble(error.Message.ReplaceLineEndings(" ").TrimEnd('.'));
        }
    }

    private void OnTrouble(string trouble)
    {
        if (_trouble.IsNews(trouble))
        {
            LogUnusable(_logger, _options.JwksFile!, trouble);
        }
    }

    private byte[] Read()
    {
        try
        {
            return RegularFile.ReadAllBytes(_options.JwksFile!, LongestFile);
        }
        catch (FileNotFoundException)
        {
            throw new IOException("there is no such file");
        }
    }

    private TokenKeySet Parse(byte[] content)
    {
        JsonWebKeySet keys;
        try
        {
            keys = new JsonWebKeySet(System.Text.Encoding.UTF8.GetString(content));
        }
        catch (Exception error)
        {
            throw new InvalidDataException("it is no JSON of keys", error); // the parser throws many kinds
        }

        return TokenKeySet.After(_current, keys, _options, _lives);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Read the keys of users' tokens from {File}: {Keys}")]
    private static partial void LogKeys(ILogger logger, string file, string keys);

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "Cannot use JWT_JWKS_FILE={File}: {Reason}. The keys that were read before stay in force. Repair the file; the node reads it again "
            + "at once")]
    private static partial void LogUnusable(ILogger logger, string file, string reason);
}
