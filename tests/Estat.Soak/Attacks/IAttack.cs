// What a client without credentials can do to a server.
namespace Estat.Soak.Attacks;

/// <summary>One way to hurt a server cheaply.</summary>
internal interface IAttack
{
    /// <summary>Names it in the report.</summary>
    string Name { get; }

    /// <summary>Goes on until it is ended, whatever the server does.</summary>
    Task RunAsync(int port, CancellationToken cancellationToken);
}
