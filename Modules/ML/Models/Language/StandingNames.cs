namespace OKLA.ML.Models.Language;

/// <summary>Names that are known without a catalogue: makes and models of the Dominican fleet, provinces with their towns, words of the trade as Dominicans say them.</summary>
internal static class StandingNames
{
    // Make = other ways to write it : models, each with other ways behind an equals sign.
    private const string Vehicles =
        """
        Toyota: Corolla, Camry, RAV4, 4Runner, Land Cruiser Prado=prado, Land Cruiser, Hilux, Tacoma, Tundra, Passo, Corolla Cross, Yaris, Vitz, Highlander, Prius, Sienna, Hiace, Rush, Raize, Auris, Avanza, Fortuner, Sequoia, Coaster, C-HR, Agya, Starlet
        Honda: Civic, Accord, CR-V, Fit, HR-V, Pilot, Odyssey, Ridgeline, City, Vezel, Navi, Insight, Passport
        Nissan: Note, Sentra, Frontier, Kicks, Versa, Leaf, Pathfinder, Murano, Rogue, X-Trail, Qashqai, Juke, March, Altima, Tiida, Armada, Urvan, Navara, Patrol
        Mitsubishi: L200, Montero Sport, Montero, Outlander, Mirage, Lancer, ASX, Canter, Nativa
        Mazda: CX-5, CX-3, CX-9, CX-30, Demio, Mazda 3, Mazda 6, BT-50, Axela
        Suzuki: Swift, Vitara, Grand Vitara, Jimny, Alto, Celerio, Ciaz, Baleno, Ertiga, Dzire, S-Cross
        Daihatsu: Mira, Hijet, Boon, Terios, Delta, Tanto
        Isuzu: D-Max, NPR, NQR, Rodeo
        Lexus: RX 350, RX 330, GX 460, LX 570, NX 200, ES 350, IS 250, CT 200
        Subaru: Forester, Impreza, Outback, XV, Legacy, WRX
        Hyundai: Sonata, Tucson, Elantra, Santa Fe, Accent, Grand i10=i10, Creta, Venue, Cantus, H1, Staria, Palisade, Veloster, Porter, Kona, Ioniq
        Kia: K5, Picanto, Sportage, Sorento, Rio, Soul, Cerato, Seltos, Carnival, Forte, Optima, Morning, K3, Stonic, Sonet, Telluride, Bongo, Niro
        Ford: F-150, Explorer, Ranger, Mustang, Escape, Edge, Expedition, EcoSport, Focus, Fusion, Fiesta, Bronco, F-250, Transit
        Chevrolet=chevy: Colorado, Silverado, Tahoe, Spark, Camaro, Equinox, Traverse, Trax, Suburban, Cruze, Aveo, Captiva, Tracker, Malibu, Sonic, Onix
        Jeep: Wrangler, Grand Cherokee, Cherokee, Compass, Renegade, Patriot, Gladiator
        Dodge: Ram 1500=ram, Durango, Journey, Charger, Challenger, Caravan, Nitro, Dakota
        Tesla: Model 3, Model Y, Model S, Model X
        Mercedes-Benz=mercedes, benz: Clase C, Clase E, Clase GLE, Clase GLC, Clase S, Clase A, Sprinter, ML 350, C300
        BMW: X5, X3, X1, X6, Serie 3, Serie 5, Serie 7, 320i, 328i, 530i
        Audi: Q5, Q7, Q3, A4, A3, A6
        Volkswagen=vw: Amarok, Jetta, Tiguan, Golf, Touareg, Passat, Polo, Gol, Beetle
        Mini: Cooper, Countryman
        Porsche: Cayenne, 911, Macan, Panamera
        Land Rover: Range Rover, Discovery, Defender, Evoque, Range Rover Sport
        Volvo: XC90, XC60, XC40
        Changan: CS35 Plus, CS55, CS15, Alsvin, CS75, Hunter
        BYD: Song Plus, Yuan Plus, Dolphin, Seagull, Han, Tang
        Jac: T8, T6, S2, S3, JS4
        Peugeot: 208, 2008, 3008, Partner
        Renault: Duster, Logan, Sandero, Kwid, Oroch
        Fiat: 500, Uno, Palio, Toro
        Acura: MDX, RDX, TL, TSX, TLX
        Infiniti: QX60, QX80, Q50, FX35, QX56
        Cadillac: Escalade, SRX, XT5
        GMC: Yukon, Sierra, Terrain, Acadia
        Yamaha: MT-07, R1, R6, FZ, XTZ, Crypton
        Bajaj: Platina 100, Pulsar, Boxer
        Great Wall: Wingle, Haval, Poer
        Chery: Tiggo, QQ, Arrizo
        MG: ZS, HS, MG3, MG5
        Geely: Coolray, Emgrand, Azkarra
        Can-Am: Maverick, Spyder
        Mack
        Freightliner
        Hino
        Ssangyong: Korando, Rexton, Musso
        Samsung: SM3, SM5
        """;

    private const string Places =
        """
        Distrito Nacional: distrito, dn, capital, naco, piantini, gazcue, bella vista, los prados, churchill
        Santo Domingo: sto dgo, sto domingo, sd, santo domingo este, santo domingo oeste, santo domingo norte, sto dgo este, zona oriental, villa mella, boca chica, los alcarrizos, herrera, san isidro, sde
        Santiago: santiago de los caballeros, stgo, tamboril, licey, navarrete, villa gonzalez
        San Cristóbal: haina, bajos de haina, nigua, villa altagracia
        La Vega: jarabacoa, constanza, vega
        La Altagracia: higuey, bavaro, punta cana, veron
        Puerto Plata: sosua, cabarete, pto plata, imbert
        San Pedro de Macorís: san pedro, spm, consuelo, juan dolio
        Duarte: san francisco de macoris, san francisco, sfm
        La Romana: romana, bayahibe
        San Juan: san juan de la maguana
        Espaillat: moca, gaspar hernandez
        Azua
        Barahona
        Peravia: bani
        Monte Plata: bayaguana
        Monseñor Nouel: bonao
        Valverde: mao, esperanza
        Sánchez Ramírez: cotui
        María Trinidad Sánchez: nagua, cabrera, rio san juan
        Monte Cristi: montecristi
        Samaná: las terrenas, sanchez
        Hermanas Mirabal: salcedo, tenares
        Hato Mayor: hato mayor del rey
        El Seibo: seibo, miches
        San José de Ocoa: ocoa
        Santiago Rodríguez: sabaneta
        Dajabón
        Bahoruco: neiba
        Independencia: jimani
        Pedernales
        Elías Piña: comendador
        """;

    // Slot; value as listings have it; ways to say it.
    private const string Words =
        """
        body; jeepeta; jeepeta, jeepetas, yipeta, yipetas, jipeta, jipetas, jepeta, geepeta, jeepetica, suv, todoterreno, crossover
        body; camioneta; camioneta, camionetas, pickup, pick up, pickups, doble cabina, troca
        body; sedan; sedan, sedanes
        body; hatchback; hatchback, hatchbacks, hatback
        body; coupe-deportivo; coupe, deportivo, deportivos, convertible
        body; motores; motor, motores, moto, motos, motocicleta, motocicletas, pasola, pasolas, motoneta, scooter, four wheel, fourwheel, cuatrimoto
        body; v.pesados; camion, camiones, volteo, patana, guagua, guaguas, guagüita, autobus, autobuses, minibus, bus, furgoneta, furgon, cabezote, camioncito, van, minivan
        body; barcos; lancha, lanchas, yate, yates, bote, botes, barco, barcos, yola, jet ski, jetski
        body; carro; carro, carros, carrito, carritos, auto, autos, maquina
        fuel; gasolina; gasolina, gasolinas
        fuel; diesel; diesel, gasoil, gasoi, disel, petrolero, petrolera
        fuel; glp; glp, gas, gas propano, propano, a gas
        fuel; hibrido; hibrido, hibrida, hibridos, hibridas, hybrid
        fuel; electrico; electrico, electrica, electricos, electricas
        fuel; gas natural; gas natural, gnv
        transmission; automatica; automatico, automatica, automaticos, automaticas, automatic, at
        transmission; mecanica; mecanico, mecanica, mecanicos, estandar, standard, sincronico, sincronica, manual, caja manual, caja mecanica, cambios
        condition; nuevo; nuevo, nueva, nuevos, nuevas, 0 km, cero km, cero kilometro, cero kilometros, de paquete, 0km, del ano
        condition; usado; usado, usada, usados, usadas, segunda mano, de segunda, seminuevo, seminueva, usadita, usadito
        condition; recién importado; recien importado, recien importada, recien llegado, recien llegada
        use; uber; uber, indrive, didi, taxi, plataforma
        use; concho; concho, conchar, motoconcho, transporte publico
        use; trabajo; trabajar, trabajo
        use; familia; familia, familiar, ninos, 7 personas, 8 personas
        use; campo; campo, finca, montana, caminos malos
        use; estudio; universidad, estudiar, uni, colegio
        use; carga; carga, cargar, mudanza, mudanzas, acarreo
        use; negocio; negocio, empresa, colmado
        use; delivery; delivery, mensajeria, reparto
        use; viajes; viajar, viajes, excursiones, turismo, carretera
        use; ciudad; ciudad
        """;

    /// <summary>All of them.</summary>
    public static IReadOnlyList<SlotName> All { get; } = [.. ReadVehicles(), .. ReadPlaces(), .. ReadWords()];

    private static string[] Lines(string block) => block.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private static string[] Parts(string list, char at) => list.Split(at, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private static string Plain(string name) => PriceFeatures.Plain(name)!.Replace('-', ' ');

    private static IEnumerable<SlotName> ReadVehicles()
    {
        foreach (var line in Lines(Vehicles))
        {
            var halves = Parts(line, ':');
            var makes = halves[0].Split(['=', ','], StringSplitOptions.TrimEntries);
            foreach (var form in makes)
            {
                yield return new SlotName("make", Plain(form), makes[0]);
            }

            foreach (var model in halves.Length < 2 ? [] : Parts(halves[1], ','))
            {
                var forms = Parts(model, '=');
                foreach (var form in forms)
                {
                    yield return new SlotName("model", Plain(form), forms[0], makes[0]);
                }
            }
        }
    }

    private static IEnumerable<SlotName> ReadPlaces()
    {
        foreach (var line in Lines(Places))
        {
            var halves = Parts(line, ':');
            foreach (var form in (string[])[halves[0], .. halves.Length < 2 ? [] : Parts(halves[1], ',')])
            {
                yield return new SlotName("place", Plain(form), halves[0]);
            }
        }
    }

    private static IEnumerable<SlotName> ReadWords()
    {
        foreach (var parts in Lines(Words).Select(line => Parts(line, ';')))
        {
            foreach (var form in Parts(parts[2], ','))
            {
                yield return new SlotName(parts[0], Plain(form), parts[1]);
            }
        }
    }
}
