// What lies in stores as JSON.
using System.Text.Json.Serialization;
using Estat.Requests.Campaigns;

namespace Estat.Requests.Storing;

/// <summary>Names as in C#: only this program reads them.</summary>
[JsonSerializable(typeof(CampaignSettings))]
[JsonSerializable(typeof(DrawResult))]
internal sealed partial class StoredJson : JsonSerializerContext;
