// What silos publish about themselves.
namespace Estat.Grains.Hosting;

/// <summary>Keys of a silo's metadata.</summary>
public static class SiloMetadataNames
{
    /// <summary>This start of its node, as it stands in the keys of its objects.</summary>
    public const string Instance = "estat.instance";

    /// <summary>The identity of its spool's folder.</summary>
    public const string Spool = "estat.spool";

    /// <summary>Its zone; missing if it has no name.</summary>
    public const string Zone = "estat.zone";

    /// <summary>What has to be the same at all silos: a line for each name.</summary>
    public const string Settings = "estat.settings";
}
